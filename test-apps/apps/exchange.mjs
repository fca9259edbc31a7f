// SPDX-License-Identifier: MIT
// exchange.mjs [METHOD URL SOURCE]...: as exchange.py, with http.request, on one connection
import { createHash } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import http from "node:http";

const proxy = process.env.http_proxy && new URL(process.env.http_proxy);
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function exchange(method, url, source) {
	const target = new URL(url);
	const to = proxy ? { host: proxy.hostname, port: proxy.port, path: url }
		: { host: target.hostname, port: target.port, path: target.pathname };
	const chunked = source.startsWith("+");
	const file = source === "-" ? null : chunked ? source.slice(1) : source;
	const headers = { host: target.host };

	if (file)
		headers["content-type"] = "application/octet-stream";
	if (file && !chunked)
		headers["content-length"] = statSync(file).size;
	return new Promise((resolve, reject) => {
		const request = http.request({ ...to, method, headers, agent }, (reply) => {
			const parts = [];

			reply.on("data", (part) => parts.push(part));
			reply.on("end", () => {
				const body = Buffer.concat(parts);
				const digest = createHash("sha256").update(body).digest("hex");

				console.log(reply.statusCode, body.length, digest);
				resolve();
			});
			reply.on("error", reject);
		});

		request.on("error", reject);
		if (file)
			createReadStream(file).pipe(request);
		else
			request.end();
	});
}

const [, , ...words] = process.argv;

for (let i = 0; i < words.length; i += 3)
	await exchange(words[i], words[i + 1], words[i + 2]);
agent.destroy();
