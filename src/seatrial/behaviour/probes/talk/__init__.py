"""Ordinary talk: does it loop, does it end, do markers of the template show?"""
