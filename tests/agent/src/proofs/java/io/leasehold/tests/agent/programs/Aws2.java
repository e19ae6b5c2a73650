package io.leasehold.tests.agent.programs;

import java.net.URI;
import java.util.concurrent.atomic.AtomicInteger;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.CompletedMultipartUpload;
import software.amazon.awssdk.services.s3.model.CompletedPart;

/** S3 by AWS's SDK 2, on the HTTP client that is on the class path: put, get, list, an upload in parts, a server that is busy. */
public final class Aws2 {
    private Aws2() {}

    /** With the server's URL. */
    public static void main(String[] args) throws Exception {
        S3Client s3 = S3Client.builder()
                .endpointOverride(URI.create(args[0]))
                .region(Region.US_EAST_1)
                .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("key", "secret")))
                .forcePathStyle(true)
                .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
                .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
                .build();
        AtomicInteger names = new AtomicInteger();
        Load.run(() -> {
            int number = names.getAndIncrement();
            String name = (number % 10 == 0 ? "busy" : "object") + number;
            if (number % 4 == 0) {
                String id = s3.createMultipartUpload(r -> r.bucket("b").key(name)).uploadId();
                String first = s3.uploadPart(r -> r.bucket("b").key(name).uploadId(id).partNumber(1), RequestBody.fromString("one ")).eTag();
                String second = s3.uploadPart(r -> r.bucket("b").key(name).uploadId(id).partNumber(2), RequestBody.fromString("two")).eTag();
                s3.completeMultipartUpload(r -> r.bucket("b").key(name).uploadId(id).multipartUpload(CompletedMultipartUpload.builder().parts(
                        CompletedPart.builder().partNumber(1).eTag(first).build(),
                        CompletedPart.builder().partNumber(2).eTag(second).build()).build()));
                Load.expect("one two", s3.getObjectAsBytes(r -> r.bucket("b").key(name)).asUtf8String());
            } else {
                s3.putObject(r -> r.bucket("b").key(name), RequestBody.fromString("whole"));
                Load.expect("whole", s3.getObjectAsBytes(r -> r.bucket("b").key(name)).asUtf8String());
            }
            if (number % 8 == 0 && s3.listObjectsV2(r -> r.bucket("b")).contents().isEmpty()) {
                throw new IllegalStateException("there is nothing");
            }
        });
    }
}
