<?php
date_default_timezone_set('Asia/Shanghai');
SL('zh_cn');
