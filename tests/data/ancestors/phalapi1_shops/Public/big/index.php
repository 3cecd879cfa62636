<?php
require_once dirname(__FILE__) . '/../init.php';
DI()->loader->addDirs(array('Big', 'Library'));
$api = new PhalApi();
$api->response()->output();
