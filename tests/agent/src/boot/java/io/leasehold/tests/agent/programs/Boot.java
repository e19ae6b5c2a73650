package io.leasehold.tests.agent.programs;

import org.springframework.boot.CommandLineRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.web.client.RestTemplateBuilder;
import org.springframework.context.annotation.Bean;
import org.springframework.web.client.RestTemplate;

/** An application of Spring Boot's whose RestTemplate takes the HttpClient that is there. */
@SpringBootApplication
public class Boot {
    /** With the server's URL. */
    public static void main(String[] args) {
        SpringApplication.run(Boot.class, args).close();
    }

    @Bean
    CommandLineRunner runner(RestTemplateBuilder builder) {
        RestTemplate template = builder.build();
        return args -> Load.run(() -> Load.expect("hello", template.postForObject(args[0] + "/post", "body", String.class)));
    }
}
