<?php
require_once __DIR__ . '/vendor/autoload.php';

use Lin\IAPI\EndPoint\CacheEndPoint;
use Lin\IAPI\EndPoint\FileEndPoint;
use Lin\IAPI\Authorization\APIKeyAuthorization;
use Lin\AppPhp\Server\App;

$link = new PDO("mysql:host=db;dbname=shop", getenv('DB_USER'), getenv('DB_PASSWORD'));
$auth = new APIKeyAuthorization(__DIR__ . '/public/keys/', getenv('KEY_SALT'));
$endpoint = null;

if (strpos($_SERVER['REQUEST_URI'], '/internal/cache') === 0) {
    $endpoint = new CacheEndPoint($link, __DIR__ . '/public/cache/');
} elseif (strpos($_SERVER['REQUEST_URI'], '/internal/file') === 0) {
    // Only these folders can be read and written.
    $endpoint = new FileEndPoint(__DIR__, ['/^public\/images\//', '/^reports\/[0-9]+\.pdf$/', '/^robots\.txt$/']);
}

$endpoint->WithAuthorization($auth);
$endpoint->HandleRequest(App::CreateServerRequest());
$endpoint->SendResponse();
