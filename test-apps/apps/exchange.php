<?php
// SPDX-License-Identifier: MIT
// exchange.php [METHOD URL SOURCE]...: as exchange.py, with the http wrapper, which has no chunks
$proxy = str_replace("http:", "tcp:", (string)getenv("http_proxy"));

function exchange(string $method, string $url, string $source): string
{
	global $proxy;
	$options = ["method" => $method, "ignore_errors" => true, "timeout" => 60];
	if ($source !== "-")
		$options += ["content" => file_get_contents($source),
			"header" => "Content-Type: application/octet-stream"];
	if ($proxy)
		$options += ["proxy" => $proxy, "request_fulluri" => true];
	$body = @file_get_contents($url, false, stream_context_create(["http" => $options]));
	if ($body === false) {
		fwrite(STDERR, error_get_last()["message"] . "\n");
		exit(1);
	}
	$status = explode(" ", $http_response_header[0])[1];
	return implode(" ", [$status, strlen($body), hash("sha256", $body)]);
}

foreach (array_chunk(array_slice($argv, 1), 3) as $job)
	echo exchange(...$job), "\n";
