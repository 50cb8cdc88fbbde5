"""Settings by class, and what a mistake in one says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest

from limen.platform.duties import BadSetting, Settings, parse_listen


@dataclass(frozen=True, slots=True)
class _Mail:
    section: ClassVar[str] = "mail"
    url: str = "smtp://localhost"


def test_a_section_is_asked_for_by_its_class() -> None:
    """What the file gave is returned; a section it does not have has its defaults."""
    assert Settings([_Mail("smtp://mail")]).of(_Mail).url == "smtp://mail"
    assert Settings([]).of(_Mail).url == "smtp://localhost"


def test_addresses_of_both_families_are_read() -> None:
    """Host and port come apart, brackets go."""
    assert parse_listen("metrics.listen", "127.0.0.1:9400") == ("127.0.0.1", 9400)
    assert parse_listen("metrics.listen", "[::1]:9400") == ("::1", 9400)


@pytest.mark.parametrize("listen", ["9400", ":9400", "localhost", "localhost:", "localhost:-1", "localhost:65536", "localhost:٣"])
def test_a_mistake_names_its_key(listen: str) -> None:
    """It says which key, why, and what would do."""
    with pytest.raises(BadSetting) as caught:
        parse_listen("metrics.listen", listen)
    assert caught.value.key == "metrics.listen"
    assert str(caught.value).startswith("listen: ")
    assert caught.value.suggestion
