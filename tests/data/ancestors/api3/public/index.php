<?php
require_once '../autoloader.php';

use \api\core\Request;

Request::setAuthSystem(new \api\core\AuthSystemDefault);
$url = $_SERVER['REQUEST_URI'];
$uri = substr($url, strlen('/api'));
$request = Request::remote($uri);
die($request->dispatch()->serialize());
