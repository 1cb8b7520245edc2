export function clients(): { kubectl: string | undefined; helm: string | undefined };
