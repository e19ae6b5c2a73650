package io.leasehold.tests.agent.programs;

import org.apache.axiom.om.OMElement;
import org.apache.axiom.om.OMAbstractFactory;
import org.apache.axiom.om.OMFactory;
import org.apache.axis2.addressing.EndpointReference;
import org.apache.axis2.client.Options;
import org.apache.axis2.client.ServiceClient;
import org.apache.axis2.context.ConfigurationContext;
import org.apache.axis2.context.ConfigurationContextFactory;

/** Axis2 calls a SOAP service by the transport that it comes with, which is made on HttpClient 3.1. */
public final class Axis2 {
    private Axis2() {}

    /** With the server's URL. */
    public static void main(String[] args) throws Exception {
        ConfigurationContext context = ConfigurationContextFactory.createConfigurationContextFromFileSystem(null, null);
        OMFactory elements = OMAbstractFactory.getOMFactory();
        Load.run(() -> {
            ServiceClient client = new ServiceClient(context, null);
            Options options = new Options();
            options.setTo(new EndpointReference(args[0] + "/service"));
            client.setOptions(options);
            OMElement question = elements.createOMElement("question", elements.createOMNamespace("urn:test", ""));
            question.setText("who?");
            try {
                Load.expect("hello", client.sendReceive(question).getText());
            } finally {
                client.cleanupTransport();
                client.cleanup();
            }
        });
    }
}
