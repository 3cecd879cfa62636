<?php

$vendorDir = dirname(__DIR__);

return array(
    'Shop\\Base\\' => array($vendorDir . '/shop/base/src'),
);
