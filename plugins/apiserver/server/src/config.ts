/** What the config file says about this plugin; see config.schema.json. */
export interface ServerConfig {
  /** Address to listen on. Default 127.0.0.1. */
  bind?: string;
  /** 0: a free one, which is reported and written into the kubeconfig. Default 6443. */
  port?: number;
  /** Further names and addresses that the serving certificate is good for. */
  certSANs?: string[];
  /** Where clients reach this server, `https://host:port`; default: from bind and port. */
  advertise?: string;
  limits?: {
    /** Of a request body, in bytes. Default 3 MiB. */
    bodyBytes?: number;
    /** Of everything but watches and connections, in milliseconds. Default 60,000. */
    requestTimeoutMs?: number;
    /** Reading requests at once. Default 400. */
    maxInflight?: number;
    /** Writing requests at once. Default 200. */
    maxMutatingInflight?: number;
  };
  /** False: no HTTPS, in-process clients only. Default true. */
  listen?: boolean;
}
