"""Names that are not legacy ones, in places where only those may stand."""

__all__ = ["unescape_name"]


def unescape_name(name: str) -> str:
    """Undo Prometheus' `U__` escaping: `_` + hex + `_` is a code point, `__` an underscore; what is malformed stays
    as it is."""
    if not name.startswith("U__"):
        return name
    out: list[str] = []
    rest = name[3:]
    at = 0
    while at < len(rest):
        if rest[at] != "_":
            out.append(rest[at])
            at += 1
            continue
        end = rest.find("_", at + 1)
        if end < 0:
            return name
        if end == at + 1:
            out.append("_")
        else:
            char = _code_point(rest[at + 1 : end])
            if char is None:
                return name
            out.append(char)
        at = end + 1
    return "".join(out)


def _code_point(digits: str) -> str | None:
    if len(digits) > 6 or not all(c in "0123456789abcdefABCDEF" for c in digits):
        return None
    value = int(digits, 16)
    return None if value > 0x10FFFF or 0xD800 <= value <= 0xDFFF else chr(value)
