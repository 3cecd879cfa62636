"""Tests of the handlers: `python3 -m unittest`."""

import unittest

from handlers import greet


class Greetings(unittest.TestCase):
    def test_a_greeting_is_in_its_language(self):
        self.assertEqual(greet("Ada", "fr"), {"greeting": "Bonjour, Ada!"})
