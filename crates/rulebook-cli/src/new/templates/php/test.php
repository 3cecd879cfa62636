<?php

// Tests of the API: `php test.php`. The program `rulebook` checks the arguments and the outputs of each call.

declare(strict_types=1);

require __DIR__ . '/rulebook_testing.php';

use Rulebook\{CallError, Client};

$client = new Client();
$outputs = $client->call('greeting.greet', ['name' => 'Ada', 'lang' => 'fr']);
if ($outputs !== ['greeting' => 'Bonjour, Ada!']) {
    throw new Exception('a greeting is not in its language: ' . json_encode($outputs));
}
try {
    $client->call('greeting.greet', ['name' => 'Ada', 'lang' => 'xx']);
    throw new Exception('an unknown language is not refused');
} catch (CallError $error) {
    if ($error->name !== 'invalid-parameter') {
        throw $error;
    }
}
