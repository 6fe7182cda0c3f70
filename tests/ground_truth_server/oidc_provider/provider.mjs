// An OpenID Connect provider for tests: oidc-provider, a certified implementation, with people of ours.
// node provider.mjs PORT CLIENT_ORIGIN: prints "ready" once it answers.
import { Provider } from "oidc-provider";

const [port, client] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const GROUPS = { ada: ["welders", "engineers"], olga: ["engineers", "owners"], root: ["admins"], paul: ["painters"] };

const provider = new Provider(issuer, {
  clients: [{
    client_id: "ground-truth",
    client_secret: "a-secret-of-tests-that-is-long-enough",
    redirect_uris: [`${client}/sign-in/callback`],
    post_logout_redirect_uris: [`${client}/`],
  }],
  pkce: { required: () => true },
  claims: { openid: ["sub"], profile: ["name", "groups"], email: ["email"] },
  cookies: { keys: ["of tests"] },
  features: { rpInitiatedLogout: { enabled: true } },
  async findAccount(_, id) {
    const name = id[0].toUpperCase() + id.slice(1);
    return { accountId: id, claims: async () => ({ sub: id, name, email: `${id}@example.com`, groups: GROUPS[id] ?? [] }) };
  },
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
