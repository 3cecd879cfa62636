<?php
// Sends a file of the requested size, without holding it in memory.
$size = (int) $_GET['size'];
if ($size === 0) {
    http_response_code(404);
    echo json_encode(['error' => 'no_such_article']);
    exit;
}
while (ob_get_level() > 0) {
    ob_end_clean();
}
header('Content-Type: text/csv');
header('Content-Disposition: attachment; filename="all articles.csv"');
header('Cache-Control: no-store');
$chunk = str_repeat('0123456789abcde' . "\n", 4096);
for ($sent = 0; $sent < $size; $sent += strlen($chunk)) {
    echo substr($chunk, 0, min(strlen($chunk), $size - $sent));
    flush();
    if (isset($_GET['breaks']) && $sent > $size / 2) {
        posix_kill(getmypid(), 9);
    }
}
