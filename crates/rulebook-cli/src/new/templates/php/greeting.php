<?php

// The handlers of the module `greeting`.

declare(strict_types=1);

const GREETINGS = ['en' => 'Hello', 'fr' => 'Bonjour'];

function greet(string $name, string $lang): array
{
    return ['greeting' => GREETINGS[$lang] . ", $name!"];
}
