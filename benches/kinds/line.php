<?php

// The handler of the case `php`.

declare(strict_types=1);

$article = (int) $_GET['article_id'];
$line = (int) $_GET['no_line'];

header('Content-Type: application/json');
echo json_encode([
    'article_id' => $article,
    'no_line' => $line,
    'lang' => $_GET['lang'],
    'line' => "line $line of article $article",
]);
