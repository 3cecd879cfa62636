<?php
// Loads classes from the folder `build`, as projects for api 3.0 do.
spl_autoload_register(function ($class) {
    $file = __DIR__ . '/build/' . str_replace('\\', '/', $class) . '.php';
    if (is_file($file)) {
        require_once $file;
    }
});
