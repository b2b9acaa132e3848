//! Default VPCs: what is in one, and taking an empty one apart.

use aws_sdk_ec2::types::{Filter, Route, RouteTable};

use crate::{Error, Region, is_gone, refused};

/// A default VPC and what AWS made in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DefaultVpc {
    /// Its id.
    pub id: String,
    /// What is in it that AWS did not make; none if it is empty.
    pub used_by: Option<String>,
    /// Its internet gateways.
    pub gateways: Vec<String>,
    /// Its subnets.
    pub subnets: Vec<String>,
}

impl Region {
    /// The Region's default VPC, if there is one.
    pub async fn default_vpc(&self) -> Result<Option<DefaultVpc>, Error> {
        let default = filter("is-default", "true");
        let answer = self.client.describe_vpcs().filters(default).send().await;
        let answer = answer.map_err(|error| refused("ec2:DescribeVpcs", &error))?;
        let id = answer.vpcs.unwrap_or_default().into_iter().find_map(|vpc| vpc.vpc_id);
        let Some(id) = id else { return Ok(None) };
        let (interfaces, groups, strange_routes, (subnets, strange_subnets), gateways) = tokio::try_join!(
            self.interfaces(&id),
            self.groups(&id),
            self.strange_routes(&id),
            self.subnets(&id),
            self.gateways(&id),
        )?;
        let found: Vec<String> = [
            (interfaces, "network interfaces"),
            (groups, "security groups"),
            (strange_routes, "routes or route tables"),
            (strange_subnets, "subnets"),
        ]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{number} {what}"))
        .collect();
        let used_by = (!found.is_empty()).then(|| found.join(", "));
        Ok(Some(DefaultVpc { id, used_by, gateways, subnets }))
    }

    /// Takes a VPC apart in the order that EC2 wants: what is gone already counts as done, what is in use is refused.
    pub async fn delete_vpc(&self, vpc: &DefaultVpc) -> Result<(), Error> {
        for gateway in &vpc.gateways {
            let detached = self
                .client
                .detach_internet_gateway()
                .internet_gateway_id(gateway)
                .vpc_id(&vpc.id)
                .send()
                .await;
            match detached {
                Ok(_) => {}
                Err(error) if is_gone(&error) => {}
                Err(error) => return Err(refused("ec2:DetachInternetGateway", &error)),
            }
            let deleted =
                self.client.delete_internet_gateway().internet_gateway_id(gateway).send().await;
            match deleted {
                Ok(_) => {}
                Err(error) if is_gone(&error) => {}
                Err(error) => return Err(refused("ec2:DeleteInternetGateway", &error)),
            }
        }
        for subnet in &vpc.subnets {
            match self.client.delete_subnet().subnet_id(subnet).send().await {
                Ok(_) => {}
                Err(error) if is_gone(&error) => {}
                Err(error) => return Err(refused("ec2:DeleteSubnet", &error)),
            }
        }
        match self.client.delete_vpc().vpc_id(&vpc.id).send().await {
            Ok(_) => Ok(()),
            Err(error) if is_gone(&error) => Ok(()),
            Err(error) => Err(refused("ec2:DeleteVpc", &error)),
        }
    }

    /// How many network interfaces there are: whatever runs in a VPC has one.
    async fn interfaces(&self, vpc: &str) -> Result<usize, Error> {
        let within = filter("vpc-id", vpc);
        let answer = self.client.describe_network_interfaces().filters(within).send().await;
        let answer = answer.map_err(|error| refused("ec2:DescribeNetworkInterfaces", &error))?;
        Ok(answer.network_interfaces.unwrap_or_default().len())
    }

    /// How many security groups there are beside the VPC's own.
    async fn groups(&self, vpc: &str) -> Result<usize, Error> {
        let within = filter("vpc-id", vpc);
        let answer = self.client.describe_security_groups().filters(within).send().await;
        let answer = answer.map_err(|error| refused("ec2:DescribeSecurityGroups", &error))?;
        let groups = answer.security_groups.unwrap_or_default();
        Ok(groups.iter().filter(|group| group.group_name.as_deref() != Some("default")).count())
    }

    /// How many routes lead elsewhere than within the VPC and to its internet gateway: to endpoints, peers, gateways.
    async fn strange_routes(&self, vpc: &str) -> Result<usize, Error> {
        let within = filter("vpc-id", vpc);
        let answer = self.client.describe_route_tables().filters(within).send().await;
        let answer = answer.map_err(|error| refused("ec2:DescribeRouteTables", &error))?;
        let tables = answer.route_tables.unwrap_or_default();
        let routes = tables.iter().flat_map(RouteTable::routes);
        Ok(tables.len().saturating_sub(1) + routes.filter(|route| !is_plain(route)).count())
    }

    /// All subnets, and how many of them AWS did not make.
    async fn subnets(&self, vpc: &str) -> Result<(Vec<String>, usize), Error> {
        let within = filter("vpc-id", vpc);
        let answer = self.client.describe_subnets().filters(within).send().await;
        let answer = answer.map_err(|error| refused("ec2:DescribeSubnets", &error))?;
        let subnets = answer.subnets.unwrap_or_default();
        let strange = subnets.iter().filter(|subnet| subnet.default_for_az != Some(true)).count();
        Ok((subnets.into_iter().filter_map(|subnet| subnet.subnet_id).collect(), strange))
    }

    async fn gateways(&self, vpc: &str) -> Result<Vec<String>, Error> {
        let attached = filter("attachment.vpc-id", vpc);
        let answer = self.client.describe_internet_gateways().filters(attached).send().await;
        let answer = answer.map_err(|error| refused("ec2:DescribeInternetGateways", &error))?;
        let gateways = answer.internet_gateways.unwrap_or_default();
        Ok(gateways.into_iter().filter_map(|gateway| gateway.internet_gateway_id).collect())
    }
}

fn is_plain(route: &Route) -> bool {
    route.gateway_id().is_some_and(|gateway| gateway == "local" || gateway.starts_with("igw-"))
}

fn filter(name: &str, value: &str) -> Filter {
    Filter::builder().name(name).values(value).build()
}
