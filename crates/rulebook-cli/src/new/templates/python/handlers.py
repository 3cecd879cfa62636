"""The handlers of the API: a function for each method that the files in api/ define."""

from rulebook import handler, serve

GREETINGS = {"en": "Hello", "fr": "Bonjour"}


@handler("greeting.greet")
def greet(name: str, lang: str):
    return {"greeting": f"{GREETINGS[lang]}, {name}!"}


if __name__ == "__main__":
    serve()
