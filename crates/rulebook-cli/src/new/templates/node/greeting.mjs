// The handlers of the module `greeting`.

const GREETINGS = { en: "Hello", fr: "Bonjour" };

export function greet({ name, lang }) {
    return { greeting: `${GREETINGS[lang]}, ${name}!` };
}
