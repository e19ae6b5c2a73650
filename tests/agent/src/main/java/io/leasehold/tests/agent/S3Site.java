package io.leasehold.tests.agent;

import io.leasehold.tests.agent.CountedServer.Request;
import io.leasehold.tests.agent.CountedServer.Response;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * As much of S3 as its clients take to put, get, list and upload in parts, in one bucket. The first request for a key whose name has "busy"
 * in it is answered with 503, once for each key.
 */
final class S3Site implements CountedServer.Site {
    private final Map<String, byte[]> objects = new ConcurrentSkipListMap<>();
    private final Map<String, Map<Integer, byte[]>> uploads = new ConcurrentHashMap<>();
    private final Set<String> refused = ConcurrentHashMap.newKeySet();
    private final AtomicInteger ids = new AtomicInteger();
    private final AtomicInteger triedAgain = new AtomicInteger();

    @Override
    public Response answer(Request request) throws IOException {
        String attempt = request.headers.getOrDefault("amz-sdk-request", "");
        String retry = request.headers.getOrDefault("amz-sdk-retry", "0");
        if (attempt.matches("attempt=[2-9].*") || retry.matches("[1-9].*")) {
            triedAgain.incrementAndGet();
        }
        String path = request.path();
        String query = request.target.substring(path.length());
        String key = path.replaceFirst("^/[^/]*/?", "");
        if (key.contains("busy") && request.method.equals("GET") && refused.add(key)) {
            return xml(503, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>");
        }
        if (key.isEmpty()) {
            return xml(200, list());
        }
        byte[] body = request.headers.containsKey("x-amz-decoded-content-length") ? CountedServer.chunks(new ByteArrayInputStream(request.body))
                : request.body;
        switch (request.method) {
            case "PUT":
                if (query.contains("uploadId")) {
                    uploads.get(parameter(query, "uploadId")).put(Integer.parseInt(parameter(query, "partNumber")), body);
                } else {
                    objects.put(key, body);
                }
                return new Response(200, "").with("ETag", etag(body));
            case "POST":
                if (query.contains("uploads")) {
                    String id = "upload" + ids.incrementAndGet();
                    uploads.put(id, new TreeMap<>());
                    return xml(200, "<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>" + key + "</Key><UploadId>" + id
                            + "</UploadId></InitiateMultipartUploadResult>");
                }
                ByteArrayOutputStream all = new ByteArrayOutputStream();
                for (byte[] part : uploads.remove(parameter(query, "uploadId")).values()) {
                    all.write(part);
                }
                objects.put(key, all.toByteArray());
                return xml(200, "<CompleteMultipartUploadResult><Bucket>b</Bucket><Key>" + key + "</Key><ETag>"
                        + etag(all.toByteArray()) + "</ETag></CompleteMultipartUploadResult>");
            default:
                byte[] content = objects.get(key);
                return content == null ? xml(404, "<Error><Code>NoSuchKey</Code></Error>")
                        : new Response(200, content).with("ETag", etag(content));
        }
    }

    /** Requests that were sent again for another reason than a 503. */
    @Override
    public int retried() {
        return triedAgain.get() - refused.size();
    }

    private String list() {
        StringBuilder list = new StringBuilder("<ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated>");
        objects.forEach((key, content) -> list.append("<Contents><Key>").append(key).append("</Key><Size>").append(content.length)
                .append("</Size></Contents>"));
        return list.append("</ListBucketResult>").toString();
    }

    private static Response xml(int status, String body) {
        return new Response(status, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>" + body).with("Content-Type", "application/xml");
    }

    private static String parameter(String query, String name) {
        return query.replaceFirst(".*[?&]" + name + "=([^&]*).*", "$1");
    }

    private static String etag(byte[] content) {
        try {
            StringBuilder digits = new StringBuilder("\"");
            for (byte each : MessageDigest.getInstance("MD5").digest(content)) {
                digits.append(String.format("%02x", each));
            }
            return digits.append('"').toString();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
