<?php
namespace App\Api;

/**
 * Reports
 */
class Report extends \Reports\Controller {

    /**
     * Returns the numbers of a day
     * @return array numbers The numbers
     */
    public function day() {
        return array('numbers' => array(1, 2));
    }
}
