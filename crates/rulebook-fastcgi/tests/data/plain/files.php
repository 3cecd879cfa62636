<?php
// Describes uploaded files.
header('Content-Type: application/json');
$describe = function ($name, $path) {
    return ['name' => $name, 'size' => filesize($path), 'content' => bin2hex(file_get_contents($path))];
};
$more = $_FILES['more'] ?? ['name' => [], 'tmp_name' => []];
echo json_encode([
    'title' => $_POST['title'] ?? null,
    'sizes' => $_POST['sizes'] ?? null,
    'type' => $_FILES['picture']['type'],
    'picture' => $describe($_FILES['picture']['name'], $_FILES['picture']['tmp_name']),
    'more' => array_map($describe, $more['name'], $more['tmp_name']),
]);
