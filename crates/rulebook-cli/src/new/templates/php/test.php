<?php

// Tests of the handlers: `php test.php`.

declare(strict_types=1);

require __DIR__ . '/greeting.php';

if (greet('Ada', 'fr') !== ['greeting' => 'Bonjour, Ada!']) {
    fwrite(STDERR, "a greeting is not in its language\n");
    exit(1);
}
