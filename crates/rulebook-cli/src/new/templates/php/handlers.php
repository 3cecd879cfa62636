<?php

// Binds a function to each method that the files in api/ define.

declare(strict_types=1);

require __DIR__ . '/rulebook.php';
require __DIR__ . '/greeting.php';

use function Rulebook\{handler, serve};

handler('greeting.greet', greet(...));

serve();
