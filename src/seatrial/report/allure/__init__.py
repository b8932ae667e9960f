"""Allure's results and its page in one file."""
