"""The endpoint of the case `sql-fastapi` in FastAPI, with SQLAlchemy."""

import os
from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Path, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

app = FastAPI()
engine = create_engine(os.environ["DATABASE_URL"], pool_size=10, max_overflow=0)
new_session = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class NoteRow(Base):
    __tablename__ = "note"

    note_id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    text: Mapped[str]
    author: Mapped[str]


class Note(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    note_id: int
    title: str
    text: str
    author: str


def open_session() -> Iterator[Session]:
    with new_session() as session:
        yield session


@app.exception_handler(RequestValidationError)
async def invalid_request(_: Request, error: RequestValidationError) -> JSONResponse:
    return JSONResponse({"errors": [{"in": item["loc"], "message": item["msg"]} for item in error.errors()]}, 400)


@app.get("/note/{note_id}", response_model=Note)
def read_note(
    note_id: Annotated[int, Path(ge=0, le=2147483647)], session: Annotated[Session, Depends(open_session)]
) -> NoteRow:
    note = session.get(NoteRow, note_id)
    if note is None:
        raise HTTPException(404, "there is no such note")
    return note
