"""What is said of the stops of one family alone, a module for each family or for several; found by walking.

A module has ``WORDS``: its families, and of each a :class:`~.family_words.FamilyWords`. A family of which nothing of
its own is said needs none. These modules import nothing of ``telling`` outside this folder, for what is said of all
stops uses them.
"""
