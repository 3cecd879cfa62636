<?php
require_once dirname(__FILE__) . '/../vendor/autoload.php';
date_default_timezone_set('Asia/Shanghai');
\PhalApi\SL('en');
$di = \PhalApi\DI();
// $di->response = new \PhalApi\Response\XmlResponse();
$di->filter = new \PhalApi\Filter\SimpleMD5Filter();
$di->_formatterEmail = new \App\Common\EmailFormatter();
if (!empty($_GET['callback'])) {
    $di->response = new \PhalApi\Response\JsonpResponse($_GET['callback']);
}
