<?php
require_once dirname(__FILE__) . '/../init.php';
DI()->loader->addDirs('Small');
$api = new PhalApi();
$api->response()->output();
