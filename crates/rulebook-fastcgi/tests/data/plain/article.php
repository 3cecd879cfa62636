<?php
// A script as there are many: it reads $_GET and $_POST, and prints JSON.
header('Content-Type: application/json');
$input = $_GET + $_POST;
if ($_SERVER['CONTENT_TYPE'] === 'application/json') {
    $input = json_decode(file_get_contents('php://input'), true);
}
switch ($input['action'] ?? '') {
    case 'missing':
        http_response_code(404);
        echo json_encode(['error' => 'no_such_article', 'message' => 'it was removed']);
        break;
    case 'created':
        http_response_code(201);
        header('Location: /article/52');
        setcookie('draft', '1');
        header('X-Total: 7');
        echo json_encode(['input' => $input]);
        break;
    case 'die':
        error_log("the script fails");
        throw new Exception('secret');
    case 'exit':
        exit;
    case 'sleep':
        sleep(20);
        break;
    default:
        echo json_encode([
            'input' => $input,
            'server' => array_intersect_key($_SERVER, array_flip(
                ['REQUEST_METHOD', 'RULEBOOK_HTTP_METHOD', 'RULEBOOK_IDENTITY', 'RULEBOOK_PERMISSIONS', 'RULEBOOK_METHOD', 'PHP_SELF', 'HTTP_PROXY',
                    'CONTENT_TYPE', 'CONTENT_LENGTH', 'QUERY_STRING', 'REQUEST_URI', 'HTTP_X_ANY']
            )),
            'process' => getmypid(),
        ]);
}
