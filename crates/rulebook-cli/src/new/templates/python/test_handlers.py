"""Tests of the API: `python3 -m unittest`. The program `rulebook` checks the arguments and the outputs of each call."""

import unittest

from rulebook import CallError
from rulebook.testing import Client


class Greetings(unittest.TestCase):
    def test_a_greeting_is_in_its_language(self):
        outputs = Client().call("greeting.greet", name="Ada", lang="fr")
        self.assertEqual(outputs, {"greeting": "Bonjour, Ada!"})

    def test_an_unknown_language_is_refused(self):
        with self.assertRaises(CallError) as raised:
            Client().call("greeting.greet", name="Ada", lang="xx")
        self.assertEqual(raised.exception.name, "invalid-parameter")
