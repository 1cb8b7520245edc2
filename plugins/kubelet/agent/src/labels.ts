/** Names under which the kubelet finds its sandboxes and containers again. Every kubelet uses these. */
export const POD_NAME = 'io.kubernetes.pod.name';
export const POD_NAMESPACE = 'io.kubernetes.pod.namespace';
export const POD_UID = 'io.kubernetes.pod.uid';
export const CONTAINER_NAME = 'io.kubernetes.container.name';
export const RESTART_COUNT = 'io.kubernetes.container.restartCount';
export const TERMINATION_PATH = 'io.kubernetes.container.terminationMessagePath';
export const TERMINATION_POLICY = 'io.kubernetes.container.terminationMessagePolicy';
/** Ours: the node an agent with many nodes runs the pod for, and where on the host the termination message is. */
export const NODE_NAME = 'kubernel.dev/node';
export const TERMINATION_FILE = 'kubernel.dev/termination-file';
/** Of what a running container was made from: when it differs from the pod's, the container is replaced. */
export const CONTAINER_HASH = 'io.kubernetes.container.hash';
