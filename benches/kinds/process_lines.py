"""The handler of the case `process`."""

from rulebook import handler, serve


@handler("line.read")
def read_line(article_id: int, no_line: int, lang: str):
    return {
        "article_id": article_id,
        "no_line": no_line,
        "lang": lang,
        "line": f"line {no_line} of article {article_id}",
    }


serve()
