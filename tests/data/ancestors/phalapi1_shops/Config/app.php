<?php
return array('apiCommonRules' => array());
