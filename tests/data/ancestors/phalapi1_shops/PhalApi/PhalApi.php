<?php
defined('PHALAPI_VERSION') || define('PHALAPI_VERSION', '1.3.6');
