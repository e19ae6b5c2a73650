package io.leasehold.tests.agent.programs;

import com.amazonaws.auth.AWSStaticCredentialsProvider;
import com.amazonaws.auth.BasicAWSCredentials;
import com.amazonaws.client.builder.AwsClientBuilder.EndpointConfiguration;
import com.amazonaws.services.s3.AmazonS3;
import com.amazonaws.services.s3.AmazonS3ClientBuilder;
import java.util.concurrent.atomic.AtomicInteger;

/** S3 by AWS's SDK 1. */
public final class Aws1 {
    private Aws1() {}

    /** With the server's URL. */
    public static void main(String[] args) throws Exception {
        AmazonS3 s3 = AmazonS3ClientBuilder.standard()
                .withEndpointConfiguration(new EndpointConfiguration(args[0], "us-east-1"))
                .withCredentials(new AWSStaticCredentialsProvider(new BasicAWSCredentials("key", "secret")))
                .withPathStyleAccessEnabled(true)
                .build();
        AtomicInteger names = new AtomicInteger();
        Load.run(() -> {
            int number = names.getAndIncrement();
            String name = (number % 10 == 0 ? "busy" : "object") + number;
            s3.putObject("b", name, "whole");
            Load.expect("whole", s3.getObjectAsString("b", name));
            if (number % 8 == 0 && s3.listObjectsV2("b").getObjectSummaries().isEmpty()) {
                throw new IllegalStateException("there is nothing");
            }
        });
    }
}
