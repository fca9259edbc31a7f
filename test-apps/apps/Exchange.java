// SPDX-License-Identifier: MIT
import java.io.IOException;
import java.net.HttpRetryException;
import java.net.HttpURLConnection;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;

/** Exchange [METHOD URL SOURCE]...: as exchange.py, at first with HttpURLConnection, then with
 * HttpClient, which does not block and offers HTTP/2. */
class Exchange {
	static void tell(int status, byte[] body) throws Exception {
		var digest = MessageDigest.getInstance("SHA-256").digest(body);

		System.out.println(status + " " + body.length + " " + HexFormat.of().formatHex(digest));
	}

	static void send(HttpURLConnection connection, String source) throws IOException {
		var file = Path.of(source.startsWith("+") ? source.substring(1) : source);

		connection.setDoOutput(true);
		if (source.startsWith("+"))
			connection.setChunkedStreamingMode(0);
		else
			connection.setFixedLengthStreamingMode(Files.size(file));
		try (var out = connection.getOutputStream()) {
			Files.copy(file, out);
		}
	}

	static void withConnection(String method, String url, String source) throws Exception {
		var connection = (HttpURLConnection) URI.create(url).toURL().openConnection();

		connection.setRequestMethod(method);
		connection.setReadTimeout(60_000);
		try {
			if (!source.equals("-"))
				send(connection, source);
			var status = connection.getResponseCode();
			var in = status < 400 ? connection.getInputStream()
				: connection.getErrorStream();
			tell(status, in == null ? new byte[0] : in.readAllBytes());
		} catch (HttpRetryException e) { // it would have to send the body again
			tell(e.responseCode(), new byte[0]);
		}
	}

	static void withClient(HttpClient client, String method, String url, String source)
		throws Exception {
		var body = source.equals("-") ? BodyPublishers.noBody()
			: source.startsWith("+") ? BodyPublishers.fromPublisher(
				BodyPublishers.ofFile(Path.of(source.substring(1))))
			: BodyPublishers.ofFile(Path.of(source));
		var reply = client.send(HttpRequest.newBuilder(URI.create(url))
			.method(method, body).build(), BodyHandlers.ofByteArray());

		tell(reply.statusCode(), reply.body());
	}

	public static void main(String[] words) throws Exception {
		var client = HttpClient.newBuilder().proxy(ProxySelector.getDefault()).build();

		for (int i = 0; i < words.length; i += 3)
			withConnection(words[i], words[i + 1], words[i + 2]);
		for (int i = 0; i < words.length; i += 3)
			withClient(client, words[i], words[i + 1], words[i + 2]);
		System.exit(0); // its threads would stay for a while
	}
}
