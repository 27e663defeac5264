"""Config definitions and settings read by them."""

import unittest
from datetime import timedelta
from typing import Literal

from lockgate import Advice, Batch, Config, ConfigError, Http, Package, Secret, Sink, key
from lockgate.guest.describing import PluginExports
from lockgate.guest.edge import Descriptions


def even(value: int) -> str | None:
    return "must be even" if value % 2 else None


class Settings(Config):
    url: str = key(doc="Where to.")
    batch_size: int = key(500, between=(1, 1000), check=even)
    mode: Literal["append", "replace"] = key("append")
    token: Secret | None = key(None)
    names: list[str] = key([])
    flag: bool = key(True)
    wait: timedelta = key(timedelta(seconds=5), name="wait.ms")
    small: int = key(1, bits=16)
    ratio: float = 0.5


class Reading(unittest.TestCase):
    def test_defaults_stand_in_for_missing_values(self) -> None:
        read = Settings.read({"url": "x", "names": "a, b,,c", "other": "kept"})
        self.assertEqual((read.url, read.batch_size, read.mode, read.token), ("x", 500, "append", None))
        self.assertEqual((read.names, read.flag, read.wait, read.ratio), (["a", "b", "c"], True, timedelta(seconds=5), 0.5))
        self.assertEqual(read.settings["other"], "kept")

    def test_texts_become_their_types(self) -> None:
        read = Settings.read({"url": "x", "batch.size": "20", "flag": "FALSE", "wait.ms": "250", "token": "s3cret"})
        self.assertEqual((read.batch_size, read.flag, read.wait), (20, False, timedelta(milliseconds=250)))
        assert read.token is not None
        self.assertEqual((read.token.reveal(), str(read.token), f"{read.token}"), ("s3cret", "***", "***"))
        self.assertNotIn("s3cret", repr(read.token))

    def test_all_problems_come_at_once_and_name_the_key(self) -> None:
        with self.assertRaises(ConfigError) as raised:
            Settings.read({"batch.size": "1001", "mode": "x", "flag": "perhaps", "wait.ms": "soon"})
        problems = dict(raised.exception.problems)
        self.assertEqual(list(problems), ["url", "batch.size", "mode", "flag", "wait.ms"])
        self.assertEqual(problems["batch.size"], "1001 is out of range: 1 to 1000 is allowed")
        self.assertEqual(problems["mode"], "`x` is not one of append, replace")
        self.assertEqual(problems["flag"], "`perhaps` is not true or false")

    def test_a_plugins_own_check_speaks(self) -> None:
        with self.assertRaisesRegex(ConfigError, "batch.size: must be even"):
            Settings.read({"url": "x", "batch.size": "3"})

    def test_defaults_of_lists_are_not_shared(self) -> None:
        Settings(url="a").names.append("x")
        self.assertEqual(Settings(url="b").names, [])

    def test_a_type_that_no_setting_can_have_is_refused_where_it_is_declared(self) -> None:
        with self.assertRaisesRegex(TypeError, "`thing`"):

            class Wrong(Config):
                thing: dict[str, str] = key({})


class Described(Sink[Settings], name="test.Sink", aliases=["old.Sink"], encodings=["json"], asks=[Http("{url}")]):
    """Writes somewhere,
    that is, elsewhere.

    Not shown.
    """

    @classmethod
    def validate(cls, settings):  # type: ignore[no-untyped-def]
        return [Advice("url", ["is taken"])] if settings.get("url") == "taken" else []

    def put(self, batch: Batch) -> None:
        return None


class Describing(unittest.TestCase):
    def setUp(self) -> None:
        self.exports = PluginExports(Descriptions(Package("p", "1.0.0", Described)))

    def test_the_host_is_told_what_the_class_says(self) -> None:
        info = self.exports.describe().plugins[0]
        self.assertEqual((info.class_, info.aliases, info.documentation), ("test.Sink", ["old.Sink"], "Writes somewhere, that is, elsewhere."))
        keys = {k.name: k for k in info.config}
        self.assertEqual(list(keys), ["url", "batch.size", "mode", "token", "names", "flag", "wait.ms", "small", "ratio"])
        self.assertEqual((keys["url"].required, keys["url"].importance.name, keys["url"].default_value), (True, "HIGH", None))
        self.assertEqual((keys["batch.size"].default_value, keys["batch.size"].constraint.value), ("500", (1.0, 1000.0)))  # type: ignore[union-attr]
        self.assertEqual((keys["wait.ms"].default_value, keys["flag"].default_value), ("5000", "true"))
        self.assertEqual((keys["token"].config_type.name, keys["small"].config_type.name), ("PASSWORD", "SHORT"))
        self.assertEqual(keys["mode"].constraint.value, ["append", "replace"])  # type: ignore[union-attr]

    def test_checks_of_keys_and_of_the_plugin_speak_at_validation(self) -> None:
        advice = self.exports.validate("old.Sink", [("url", "taken"), ("batch.size", "3")])
        self.assertEqual({a.name: a.errors for a in advice}, {"batch.size": ["must be even"], "url": ["is taken"]})
        self.assertEqual(self.exports.validate("test.Sink", [("url", "free"), ("batch.size", "x")]), [])

    def test_a_package_says_what_is_wrong_with_it(self) -> None:
        class Nameless(Sink[Settings]):
            pass

        for wrong, args in (("lower-case", ("Upper", "1.0.0", Described)), ("names no plugin", ("p", "1.0.0")), ("has no name", ("p", "1", Nameless))):
            with self.assertRaisesRegex(ValueError, wrong):
                Package(*args)  # type: ignore[arg-type]


if __name__ == "__main__":
    unittest.main()
