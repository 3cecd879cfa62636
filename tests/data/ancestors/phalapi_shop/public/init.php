<?php
require_once dirname(__FILE__) . '/../vendor/autoload.php';
\PhalApi\SL(isset($_COOKIE['language']) ? $_COOKIE['language'] : 'zh_cn');
\PhalApi\DI()->_formatterPrice = new \App\Common\PriceFormatter();
\PhalApi\DI()->filter = '\App\Common\SignFilter';
