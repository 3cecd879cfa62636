"""The endpoint of the case `process` in FastAPI."""

from typing import Annotated

from fastapi import FastAPI, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel

Id = Annotated[int, Path(ge=0, le=2147483647)]
Lang = Annotated[str, Query(min_length=2, max_length=5)]

app = FastAPI()


class Line(BaseModel):
    article_id: int
    no_line: int
    lang: str
    line: str


@app.exception_handler(RequestValidationError)
async def invalid_request(_: Request, error: RequestValidationError) -> JSONResponse:
    return JSONResponse({"errors": [{"in": item["loc"], "message": item["msg"]} for item in error.errors()]}, 400)


@app.get("/line/{article_id}/{no_line}")
async def read_line(article_id: Id, no_line: Id, lang: Lang) -> Line:
    return Line(article_id=article_id, no_line=no_line, lang=lang, line=f"line {no_line} of article {article_id}")
