// A strict OpenID provider for tests: npm's oidc-provider with one client. Whoever types an address is signed in with
// it; it counts as verified unless it begins with "unverified".
import { createServer } from "node:http";
import Provider from "oidc-provider";

const [redirect, client_id, client_secret] = process.argv.slice(2);
const page = (action) =>
  `<!doctype html><html lang="en"><title>Provider</title><form method="post" action="${action}"><input name="login" aria-label="Address"><button>Continue</button></form>`;
const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id, client_secret, redirect_uris: [redirect], grant_types: ["authorization_code"], response_types: ["code"] }],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    findAccount: (ctx, sub) => ({
      accountId: sub,
      claims: () => ({ sub, email: sub, email_verified: !sub.startsWith("unverified"), name: sub.split("@")[0] }),
    }),
    pkce: { required: () => true },
    cookies: { keys: ["for tests"] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    loadExistingGrant: async (ctx) => {
      const { client, session, provider } = ctx.oidc;
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope("openid email profile");
      await grant.save();
      return grant;
    },
  });
  const answer = provider.callback();
  server.on("request", async (req, res) => {
    if (!req.url.startsWith("/interaction/")) return answer(req, res);
    if (req.method === "GET") return res.setHeader("Content-Type", "text/html").end(page(req.url));
    const chunks = [];
    for await (const c of req) chunks.push(c);
    const accountId = new URLSearchParams(Buffer.concat(chunks).toString()).get("login");
    await provider.interactionFinished(req, res, { login: { accountId, remember: false } }, { mergeWithLastSubmission: false });
  });
  console.log(issuer);
});
