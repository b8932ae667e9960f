"""From a run directory to what a person reads: verdict block, Allure, Markdown."""
