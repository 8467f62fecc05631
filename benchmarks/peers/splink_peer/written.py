"""Normal forms of what people write: names, kana, dates, postal codes, addresses, sex.

Splink compares columns as they are, so whoever uses it on Japanese data writes this file first. It is what a careful
engineer who knows the two files would write, and its run time is counted as part of the work. Every function takes one
text and answers what is compared; the caller asks once for each distinct value.
"""

import re
import unicodedata
from datetime import date, timedelta

_SPACES = re.compile(r"[\s・]+")
_SELECTORS = {code: None for code in [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]}

# One byte for each kana. DuckDB's edit distances count bytes, and a kana has three, so that two quite different kana
# are as close as two that were mistyped; with letters of one byte a distance of one is one kana.
_KANA = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワンガギグゲゴザジズゼゾダデドバビブベボパピプペポヴー"
_CODES = "aiueoABCDEFGHIJKLMNOPQRSTUVWXYZbcdfghjklmnpqrstvwxyz0123456789!#$%&()*+,./:;<=>?@[]^_{|}~-"
_ONE_BYTE = dict(zip(_KANA, _CODES))
_VOICED = dict(
    zip(
        "ガギグゲゴザジズゼゾダデドバビブベボパピプペポヴ", "カキクケコサシスセソタテトハヒフヘホハヒフヘホウ"
    )
)
_LIKE_LARGE = dict(zip("ァィゥェォッャュョヮヵヶヲヰヱヂヅ", "アイウエオツヤユヨワカケオイエジズ"))
_KANA_FORM = {
    **{ord(a): b for a, b in _LIKE_LARGE.items()},
    **{code: _LIKE_LARGE.get(chr(code + 0x60), chr(code + 0x60)) for code in range(0x3041, 0x3097)},
    **{ord(dash): "ー" for dash in "-‐‑–—―−ｰ"},
}
_EXACT_KANA = {ord(kana): code for kana, code in _ONE_BYTE.items()}
_LOOSE_KANA = {
    **_EXACT_KANA,
    **{ord(kana): _ONE_BYTE[plain] for kana, plain in _VOICED.items()},
    ord("ー"): None,
}
_ERAS = {"M": 1867, "T": 1911, "S": 1925, "H": 1988, "R": 2018}
_ERAS |= {"明治": 1867, "大正": 1911, "昭和": 1925, "平成": 1988, "令和": 2018}
_ERAS |= {"1": 1867, "2": 1911, "3": 1925, "4": 1988, "5": 2018}
_YEAR_FIRST = re.compile(r"([12]\d{3})[-/.年](\d{1,2})[-/.月](\d{1,2})日?$")
_ERA_FIRST = re.compile(r"([MTSHR]|明治|大正|昭和|平成|令和)(\d{1,2})[-/.年](\d{1,2})[-/.月](\d{1,2})日?$")
_PREFECTURE = re.compile(r"(?:東京都|北海道|京都府|大阪府|.{2,3}?県)\s*")
_CITY = re.compile(r"[^0-9]{1,5}?市\s*")
_SECTION = re.compile(r"大字|小字|字")
_FIRST_NUMBER = re.compile(r"\d|[一二三四五六七八九十百千]+(?=丁目|番)")
_KANJI_NUMBER = re.compile(r"[一二三四五六七八九十百千]+")
_DATE_AS_NUMBER = re.compile(r"20(\d\d)/(\d+)/(\d+)")
_NUMBER = re.compile(r"\d+")
_TOWN_FORM = {ord(a): b for a, b in zip("ヶがガつっッ", "ケケケツツツ")}
_TOWN_FORM |= {ord(letter): None for letter in "のノ之 "}
_KANJI_DIGITS = {digit: value for value, digit in enumerate("〇一二三四五六七八九")}
_SEXES = {"1": "1", "2": "2", "男": "1", "女": "2", "男性": "1", "女性": "2", "M": "1", "F": "2"}


def variants(rows):
    """Letters that are variants of each other, from the rows (variant, canonical, use) of a table."""
    return {**{ord(a): b for a, b, use in rows if use == "match"}, **_SELECTORS}


def plain(text, letters):
    """Compatibility forms and variant letters folded, one space between parts."""
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", text).translate(letters)).strip()


def name(text, letters):
    """Of a name in any script: (all of it, family part, given part, parts in alphabetical order, name in brackets)."""
    text, _, inner = plain(text, letters).upper().partition("(")
    parts = text.split()
    whole = "".join(parts)
    if not whole:
        return None, None, None, None, None
    ordered = "".join(sorted(parts))
    if whole.isascii():
        # Family and given names of foreign residents come in either order.
        whole = ordered
    two = len(parts) == 2
    inner = inner.rstrip(")").replace(" ", "") or None
    return whole, parts[0] if two else None, parts[1] if two else None, ordered if two else None, inner


def kana(text):
    """Of a name in kana, a byte a kana: (all of it, family part, given part, parts in order, all without voiced marks)."""
    parts = unicodedata.normalize("NFKC", text).translate(_KANA_FORM).split()
    if not parts:
        return None, None, None, None, None
    exact = [part.translate(_EXACT_KANA) for part in parts]
    two = len(parts) == 2
    ordered = "".join(sorted(exact)) if two else None
    loose = "".join(part.translate(_LOOSE_KANA) for part in parts)
    return "".join(exact), exact[0] if two else None, exact[1] if two else None, ordered, loose


def spelled(given):
    """The kana of a given name that is written in kana where kanji are asked for."""
    text = (given or "").translate(_KANA_FORM)
    return text.translate(_EXACT_KANA) if text and all(kana in _ONE_BYTE for kana in text) else None


def birth(text):
    """A day as eight digits, out of any notation of the two calendars or a spreadsheet's serial number."""
    text = unicodedata.normalize("NFKC", text).strip().upper().replace("元", "1")
    if match := _YEAR_FIRST.match(text):
        year, month, day = map(int, match.groups())
    elif match := _ERA_FIRST.match(text):
        year, month, day = (int(part) for part in match.groups()[1:])
        year += _ERAS[match[1]]
    elif not text.isdecimal():
        return None
    elif len(text) == 8:
        year, month, day = int(text[:4]), int(text[4:6]), int(text[6:])
    elif len(text) == 7 and text[0] in _ERAS:
        year, month, day = _ERAS[text[0]] + int(text[1:3]), int(text[3:5]), int(text[5:])
    elif len(text) == 5:
        return (date(1899, 12, 30) + timedelta(days=int(text))).strftime("%Y%m%d")
    else:
        return None
    return f"{year:04}{month:02}{day:02}"


def postal(text):
    """Seven digits; a leading zero that a spreadsheet dropped is put back."""
    digits = "".join(_NUMBER.findall(unicodedata.normalize("NFKC", text)))
    return digits.zfill(7) if 6 <= len(digits) <= 7 else None


def sex(text):
    """1 or 2."""
    return _SEXES.get(unicodedata.normalize("NFKC", text).strip().upper())


def _kanji_number(match):
    total = section = 0
    for letter in match[0]:
        unit = {"十": 10, "百": 100, "千": 1000}.get(letter)
        if unit is None:
            section = section * 10 + _KANJI_DIGITS[letter]
        else:
            total, section = total + max(section, 1) * unit, 0
    return str(total + section)


def address(text, letters):
    """Of an address: (town, its numbers as 3-14-5-). Room numbers follow those of the plot."""
    text = plain(text, letters)
    if match := _PREFECTURE.match(text):
        text = text[match.end() :]
    if match := _CITY.match(text):
        text = text[match.end() :]
    if match := _SECTION.match(text):
        text = text[match.end() :]
    first = _FIRST_NUMBER.search(text)
    if not first:
        return text.translate(_TOWN_FORM) or None, None
    town, numbers = text[: first.start()], text[first.start() :]
    if not first[0].isdecimal():
        numbers = _KANJI_NUMBER.sub(_kanji_number, numbers)
    if match := _DATE_AS_NUMBER.match(numbers):
        numbers = f"{int(match[1])}-{match[2]}-{match[3]}{numbers[match.end() :]}"
    found = "-".join(number.lstrip("0") for number in _NUMBER.findall(numbers)[:5])
    return town.translate(_TOWN_FORM) or None, f"{found}-"
