// SPDX-License-Identifier: MIT
import java.io.FileInputStream;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** Fetch AUTHORITY URL...: all at once, with URL in threads and then with one HttpClient;
 * prints the bodies in the URLs' order, first these, then those. */
class Fetch {
	static SSLContext trust(String authority) throws Exception {
		var store = KeyStore.getInstance(KeyStore.getDefaultType());
		var managers = TrustManagerFactory.getInstance("PKIX");
		var context = SSLContext.getInstance("TLS");

		store.load(null);
		try (var file = new FileInputStream(authority)) {
			store.setCertificateEntry("authority",
				CertificateFactory.getInstance("X.509").generateCertificate(file));
		}
		managers.init(store);
		context.init(null, managers.getTrustManagers(), null);
		return context;
	}

	static byte[] get(URI uri) {
		try {
			var connection = (HttpURLConnection) uri.toURL().openConnection();

			if (connection.getResponseCode() != 200)
				throw new IOException("status " + connection.getResponseCode());
			try (var body = connection.getInputStream()) {
				return body.readAllBytes();
			}
		} catch (IOException e) {
			throw new IllegalStateException(e);
		}
	}

	static CompletableFuture<byte[]> get(HttpClient client, URI uri) {
		return client.sendAsync(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofByteArray())
			.thenApply(response -> {
				if (response.statusCode() != 200)
					throw new IllegalStateException("status " + response.statusCode());
				return response.body();
			});
	}

	static void all(String authority, ArrayList<URI> urls) throws Exception {
		var context = trust(authority);
		var client = HttpClient.newBuilder().sslContext(context)
			.proxy(ProxySelector.getDefault()).build();
		var threads = Executors.newCachedThreadPool();
		var bodies = new ArrayList<CompletableFuture<byte[]>>();

		HttpsURLConnection.setDefaultSSLSocketFactory(context.getSocketFactory());
		for (var url : urls)
			bodies.add(CompletableFuture.supplyAsync(() -> get(url), threads));
		for (var url : urls)
			bodies.add(get(client, url));
		for (var body : bodies)
			System.out.write(body.get());
		System.out.flush();
	}

	public static void main(String[] args) {
		var urls = new ArrayList<URI>();

		for (int i = 1; i < args.length; i++)
			urls.add(URI.create(args[i]));
		try {
			all(args[0], urls);
			System.exit(0); // the threads would stay for a while
		} catch (Exception e) {
			e.printStackTrace();
			System.exit(1);
		}
	}
}
