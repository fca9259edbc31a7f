<?php
// SPDX-License-Identifier: MIT
// fetch.php get|async URL...: one after the other, or all at once; prints the bodies in
// the URLs' order.
$proxy = str_replace("http:", "tcp:", (string)getenv("http_proxy"));

function fail(string $why): never
{
	fwrite(STDERR, "$why\n");
	exit(1);
}

function get(string $url): string
{
	global $proxy;
	$options = $proxy ? ["proxy" => $proxy, "request_fulluri" => true] : [];
	$body = @file_get_contents($url, false, stream_context_create(["http" => $options]));
	return $body === false ? fail(error_get_last()["message"]) : $body;
}

/* Sends what there is to be said to those that can take it, hears those that speak. */
function turn(array &$streams, array &$said, array &$heard): void
{
	$in = array_diff_key($streams, $said);
	$out = array_intersect_key($streams, $said);
	$except = null;
	if (stream_select($in, $out, $except, 30) < 1)
		fail("nothing happens");
	foreach ($out as $i => $stream) {
		if (!fwrite($stream, $said[$i]))
			fail("not connected");
		unset($said[$i]);
	}
	foreach ($in as $i => $stream) {
		$heard[$i] .= fread($stream, 65536);
		if (feof($stream))
			unset($streams[$i]);
	}
}

function all_at_once(array $urls): array
{
	global $proxy;
	foreach ($urls as $i => $url) {
		$page = parse_url($url);
		$host = "{$page["host"]}:{$page["port"]}";
		$target = $proxy ? $url : $page["path"];
		$said[$i] = "GET $target HTTP/1.0\r\nHost: $host\r\n\r\n";
		$heard[$i] = "";
		$streams[$i] = stream_socket_client($proxy ?: "tcp://$host", $code, $why, 30,
			STREAM_CLIENT_CONNECT | STREAM_CLIENT_ASYNC_CONNECT) ?: fail($why);
		stream_set_blocking($streams[$i], false);
	}
	while ($streams)
		turn($streams, $said, $heard);
	return $heard;
}

function body(string $reply): string
{
	[$head, $body] = explode("\r\n\r\n", $reply, 2) + ["", ""];
	return str_contains(strtok($head, "\r"), " 200 ") ? $body : fail($head);
}

[, $way] = $argv;
$urls = array_slice($argv, 2);
echo implode($way === "get" ? array_map("get", $urls)
			    : array_map("body", all_at_once($urls)));
