package io.leasehold.httpclient5;

/** That the asynchronous manager does all the same where connections may be shared, and none is, as none speaks HTTP/2. */
class AsyncSharingManagerTest extends AsyncManagerTest {
    @Override
    LeaseholdAsyncClientConnectionManagerBuilder builder() {
        return super.builder().setMessageMultiplexing(true);
    }
}
