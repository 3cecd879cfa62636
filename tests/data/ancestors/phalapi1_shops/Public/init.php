<?php
require_once dirname(__FILE__) . '/../PhalApi/PhalApi.php';
if (empty($_GET['lang'])) {
    PhalApi_Translator::setLanguage('zh_cn');
} else {
    SL('en');
}
