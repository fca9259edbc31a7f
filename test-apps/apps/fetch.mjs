// SPDX-License-Identifier: MIT
// fetch.mjs get|fetch URL...: all at once; prints the bodies in the URLs' order.
import http from "node:http";
import https from "node:https";

const proxy = process.env.http_proxy && new URL(process.env.http_proxy);

function get(url) {
	return new Promise((resolve, reject) => {
		const module = url.startsWith("https:") && !proxy ? https : http;
		const to = proxy ? { host: proxy.hostname, port: proxy.port, path: url } : url;

		module.get(to, (response) => {
			const parts = [];

			if (response.statusCode !== 200)
				reject(new Error(`status ${response.statusCode}`));
			response.on("data", (part) => parts.push(part));
			response.on("end", () => resolve(Buffer.concat(parts)));
		}).on("error", reject);
	});
}

async function fetchUrl(url) {
	const response = await fetch(url);

	if (!response.ok)
		throw new Error(`status ${response.status}`);
	return Buffer.from(await response.arrayBuffer());
}

const [way, ...urls] = process.argv.slice(2);
const bodies = await Promise.all(urls.map(way === "get" ? get : fetchUrl));

process.stdout.write(Buffer.concat(bodies));
