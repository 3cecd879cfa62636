<?php
// The entry script of a project for PhalApi. In a real project, `vendor/autoload.php` contains the framework.
require_once __DIR__ . '/../vendor/phalapi.php';

spl_autoload_register(function ($class) {
    $file = __DIR__ . '/../src/app/' . str_replace('\\', '/', substr($class, strlen('App\\'))) . '.php';
    if (strpos($class, 'App\\') === 0 && is_file($file)) {
        require_once $file;
    }
});

(new PhalApi\PhalApi())->response()->output();
